"""langgraph_agent.py openai|anthropic: an agent with a shell tool on LangGraph and that vendor's chat model."""
import subprocess
import sys

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.tools import tool


@tool
def shell(command: str) -> str:
    """Runs a command."""
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True).stdout


models = {"openai": "gpt-5-mini", "anthropic": "claude-sonnet-4-5"}
model = init_chat_model(models[sys.argv[1]], model_provider=sys.argv[1], max_retries=0)
answer = create_agent(model, [shell]).invoke({"messages": [("user", "Do what is needed.")]})
print(answer["messages"][-1].text)
