// openai [-stream] [-parallel N]: an agent with a shell tool on Go's standard library alone. -parallel: that many conversations
// at once. Prints the answers.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
)

type object = map[string]any

var stream = flag.Bool("stream", false, "")

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// ask returns the answer's text and its tool calls.
func ask(messages []object) (string, []any) {
	function := object{"name": "shell", "description": "Runs a command", "parameters": object{"type": "object"}}
	body, err := json.Marshal(object{
		"model": "gpt-5-mini", "messages": messages, "stream": *stream,
		"tools": []object{{"type": "function", "function": function}},
	})
	check(err)
	request, err := http.NewRequest("POST", os.Getenv("OPENAI_BASE_URL")+"/chat/completions", bytes.NewReader(body))
	check(err)
	request.Header.Set("content-type", "application/json")
	response, err := http.DefaultClient.Do(request)
	check(err)
	defer response.Body.Close()
	if !*stream {
		var completion object
		check(json.NewDecoder(response.Body).Decode(&completion))
		message := completion["choices"].([]any)[0].(object)["message"].(object)
		text, _ := message["content"].(string)
		calls, _ := message["tool_calls"].([]any)
		return text, calls
	}
	text := ""
	var calls []any
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found || data == "[DONE]" {
			continue
		}
		var chunk object
		check(json.Unmarshal([]byte(data), &chunk))
		for _, choice := range chunk["choices"].([]any) {
			delta, _ := choice.(object)["delta"].(object)
			piece, _ := delta["content"].(string)
			text += piece
			pieces, _ := delta["tool_calls"].([]any)
			for _, piece := range pieces {
				call := piece.(object)
				if call["id"] != nil {
					calls = append(calls, call)
					continue
				}
				first := calls[int(call["index"].(float64))].(object)["function"].(object)
				arguments, _ := first["arguments"].(string)
				first["arguments"] = arguments + call["function"].(object)["arguments"].(string)
			}
		}
	}
	return text, calls
}

func converse(prompt string) string {
	messages := []object{{"role": "user", "content": prompt}}
	for {
		text, calls := ask(messages)
		if len(calls) == 0 {
			return text
		}
		messages = append(messages, object{"role": "assistant", "content": text, "tool_calls": calls})
		for _, one := range calls {
			call := one.(object)
			var arguments struct{ Command string }
			check(json.Unmarshal([]byte(call["function"].(object)["arguments"].(string)), &arguments))
			output, err := exec.Command("/bin/sh", "-c", arguments.Command).Output()
			check(err)
			messages = append(messages, object{"role": "tool", "tool_call_id": call["id"], "content": string(output)})
		}
	}
}

func main() {
	parallel := flag.Int("parallel", 1, "")
	flag.Parse()
	answers := make([]string, *parallel)
	var all sync.WaitGroup
	for index := range answers {
		all.Add(1)
		go func(index int) {
			defer all.Done()
			prompt := "Do what is needed."
			if *parallel > 1 {
				prompt = fmt.Sprintf("%s #%d#", prompt, index)
			}
			answers[index] = converse(prompt)
		}(index)
	}
	all.Wait()
	fmt.Println(strings.Join(answers, "\n"))
}
