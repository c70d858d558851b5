// gemini-grpc.mjs HOST:PORT AUTHORITY_FILE GenerateContent|StreamGenerateContent REQUEST_BASE64
// Sends one request over gRPC. Prints the number of answers, or the name of the error.
import { readFileSync } from 'node:fs';
import { Client, credentials, status } from '@grpc/grpc-js';

const [address, authority, method, request] = process.argv.slice(2);
const client = new Client(address, credentials.createSsl(readFileSync(authority)));
const path = `/google.ai.generativelanguage.v1beta.GenerativeService/${method}`;
const asBytes = (bytes) => bytes;
const call = client.makeServerStreamRequest(path, asBytes, asBytes, Buffer.from(request, 'base64'));
let answers = 0;
call.on('data', () => answers++);
call.on('error', () => {});
call.on('status', ({ code }) => {
  console.log(code === status.OK ? answers : status[code]);
  client.close();
});
