"""openai_python.py [--stream]: an agent with a shell tool on the Python SDK."""
import json
import subprocess
import sys

from openai import OpenAI

client = OpenAI(max_retries=0)
parameters = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
tools = [{"type": "function", "function": {"name": "shell", "description": "Runs a command", "parameters": parameters}}]
messages = [{"role": "user", "content": "Do what is needed."}]


def complete():
    request = {"model": "gpt-5-mini", "messages": messages, "tools": tools, "temperature": 0.5}
    if "--stream" not in sys.argv:
        return client.chat.completions.create(**request).choices[0].message.model_dump(exclude_none=True)
    message = {"role": "assistant", "content": "", "tool_calls": []}
    for chunk in client.chat.completions.create(**request, stream=True, stream_options={"include_usage": True}):
        if not chunk.choices:
            continue
        delta = chunk.choices[0].delta
        message["content"] += delta.content or ""
        for call in delta.tool_calls or []:
            if call.index == len(message["tool_calls"]):
                function = {"name": call.function.name, "arguments": ""}
                message["tool_calls"].append({"id": call.id, "type": "function", "function": function})
            message["tool_calls"][call.index]["function"]["arguments"] += call.function.arguments or ""
    if not message["tool_calls"]:
        del message["tool_calls"]
    return message


while True:
    answer = complete()
    messages.append(answer)
    if not answer.get("tool_calls"):
        print(answer["content"])
        break
    for call in answer["tool_calls"]:
        command = json.loads(call["function"]["arguments"])["command"]
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": done.stdout})
