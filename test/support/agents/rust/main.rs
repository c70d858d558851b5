//! An agent with a shell tool on reqwest, whose TLS is rustls with ring. Prints the answer.
use serde_json::{json, Value};

type Failure = Box<dyn std::error::Error>;

/// The message that the chunks of a streamed completion amount to.
fn join_chunks(body: &str) -> Value {
    let mut text = String::new();
    let mut calls: Vec<Value> = Vec::new();
    for data in body.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let Ok(chunk) = serde_json::from_str::<Value>(data) else { continue };
        let delta = &chunk["choices"][0]["delta"];
        text += delta["content"].as_str().unwrap_or_default();
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            if piece["id"].is_string() {
                calls.push(piece.clone());
            } else if let Some(call) = calls.last_mut() {
                let so_far = call["function"]["arguments"].as_str().unwrap_or_default();
                let more = piece["function"]["arguments"].as_str().unwrap_or_default();
                call["function"]["arguments"] = json!(format!("{so_far}{more}"));
            }
        }
    }
    let mut message = json!({ "role": "assistant", "content": text });
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    message
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = format!("{}/chat/completions", std::env::var("OPENAI_BASE_URL")?);
    let key = std::env::var("OPENAI_API_KEY")?;
    let client = reqwest::Client::new();
    let parameters = json!({ "type": "object", "properties": { "command": { "type": "string" } }, "required": ["command"] });
    let function = json!({ "name": "shell", "description": "Runs a command", "parameters": parameters });
    let mut messages = vec![json!({ "role": "user", "content": "Do what is needed." })];
    loop {
        let request = json!({
            "model": "gpt-5-mini",
            "messages": messages,
            "tools": [{ "type": "function", "function": function }],
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        let response = client.post(&url).bearer_auth(&key).json(&request).send().await?.error_for_status()?;
        let message = join_chunks(&response.text().await?);
        messages.push(message.clone());
        let Some(calls) = message["tool_calls"].as_array() else {
            println!("{}", message["content"].as_str().unwrap_or_default());
            return Ok(());
        };
        for call in calls {
            let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap_or_default())?;
            let command = arguments["command"].as_str().unwrap_or_default();
            let done = tokio::process::Command::new("/bin/sh").args(["-c", command]).output().await?;
            let output = String::from_utf8_lossy(&done.stdout);
            messages.push(json!({ "role": "tool", "tool_call_id": call["id"], "content": output }));
        }
    }
}
