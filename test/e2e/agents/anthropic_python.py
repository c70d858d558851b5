"""anthropic_python.py [--stream]: an agent with a shell tool on the Python SDK."""
import subprocess
import sys

from anthropic import Anthropic

client = Anthropic(max_retries=0)
schema = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
tools = [{"name": "shell", "description": "Runs a command", "input_schema": schema}]
messages = [{"role": "user", "content": "Do what is needed."}]

while True:
    request = {"model": "claude-opus-4-8", "max_tokens": 512, "system": "Be brief.", "messages": messages, "tools": tools}
    if "--stream" in sys.argv:
        with client.messages.stream(**request) as stream:
            message = stream.get_final_message()
    else:
        message = client.messages.create(**request)
    messages.append({"role": "assistant", "content": [block.model_dump() for block in message.content]})
    results = []
    for block in message.content:
        if block.type == "tool_use":
            done = subprocess.run(["/bin/sh", "-c", block.input["command"]], capture_output=True, text=True, check=True)
            results.append({"type": "tool_result", "tool_use_id": block.id, "content": done.stdout})
    if not results:
        print(next(block.text for block in message.content if block.type == "text"))
        break
    messages.append({"role": "user", "content": results})
