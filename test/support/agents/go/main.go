// An agent with a shell tool on the official Go SDK. Prints the answer.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	client := openai.NewClient()
	command := map[string]any{"command": map[string]any{"type": "string"}}
	shell := openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name:        "shell",
		Description: openai.String("Runs a command"),
		Parameters:  shared.FunctionParameters{"type": "object", "properties": command, "required": []string{"command"}},
	})
	request := openai.ChatCompletionNewParams{
		Model:         "gpt-5-mini",
		Messages:      []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Do what is needed.")},
		Tools:         []openai.ChatCompletionToolUnionParam{shell},
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	}
	for {
		stream := client.Chat.Completions.NewStreaming(context.Background(), request)
		var whole openai.ChatCompletionAccumulator
		for stream.Next() {
			whole.AddChunk(stream.Current())
		}
		check(stream.Err())
		message := whole.Choices[0].Message
		request.Messages = append(request.Messages, message.ToParam())
		if len(message.ToolCalls) == 0 {
			fmt.Println(message.Content)
			return
		}
		for _, call := range message.ToolCalls {
			var arguments struct{ Command string }
			check(json.Unmarshal([]byte(call.Function.Arguments), &arguments))
			output, err := exec.Command("/bin/sh", "-c", arguments.Command).Output()
			check(err)
			request.Messages = append(request.Messages, openai.ToolMessage(string(output), call.ID))
		}
	}
}
