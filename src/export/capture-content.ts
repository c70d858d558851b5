/** OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: `true`, or one of the values that name spans. */
export function capturesContent(env: NodeJS.ProcessEnv): boolean {
  const value = env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT?.trim().toLowerCase() ?? '';
  return ['true', 'span_only', 'span_and_event'].includes(value);
}
