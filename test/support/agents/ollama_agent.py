"""An agent with a shell tool on Ollama's Python client, over HTTP without TLS."""
import subprocess

import ollama


def shell(command: str) -> str:
    """Runs a command.

    Args:
      command: what to run
    """
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True).stdout


messages = [{"role": "user", "content": "Do what is needed."}]
while True:
    text, calls = "", []
    for chunk in ollama.chat(model="qwen3:8b", messages=messages, tools=[shell], stream=True):
        text += chunk.message.content or ""
        calls += chunk.message.tool_calls or []
    messages.append({"role": "assistant", "content": text, "tool_calls": calls})
    if not calls:
        print(text)
        break
    for call in calls:
        result = shell(**call.function.arguments)
        messages.append({"role": "tool", "content": result, "tool_name": call.function.name})
