"""An agent with a shell tool on LangGraph and ChatOpenAI."""
import subprocess

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def shell(command: str) -> str:
    """Runs a command."""
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True).stdout


agent = create_agent(ChatOpenAI(model="gpt-5-mini", max_retries=0), [shell])
answer = agent.invoke({"messages": [("user", "Do what is needed.")]})
print(answer["messages"][-1].text)
