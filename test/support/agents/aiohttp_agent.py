"""An agent with a shell tool on aiohttp alone, whose TLS runs through memory buffers."""
import asyncio
import json
import os
import ssl

import aiohttp

parameters = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
tools = [{"type": "function", "function": {"name": "shell", "description": "Runs a command", "parameters": parameters}}]


async def shell(command):
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", command, stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0].decode()


async def main():
    messages = [{"role": "user", "content": "Do what is needed."}]
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    headers = {"authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        while True:
            request = {"model": "gpt-5-mini", "messages": messages, "tools": tools}
            async with session.post(url, json=request) as response:
                message = (await response.json())["choices"][0]["message"]
            messages.append(message)
            if not message.get("tool_calls"):
                return print(message["content"])
            for call in message["tool_calls"]:
                result = await shell(json.loads(call["function"]["arguments"])["command"])
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


asyncio.run(main())
