// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Programs of their own: together with those of other libraries they would need more stack than there is. */

SEC("uprobe")
int handle_rustls_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	avoid_private_stack(ctx, cookie, &no_programs);
	enter_rustls(ctx, cookie);
	return 0;
}

SEC("uretprobe")
int handle_rustls_return(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	avoid_private_stack(ctx, cookie, &no_programs);
	return leave_rustls(cookie, false);
}

SEC("uprobe")
int handle_rustls_session(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	avoid_private_stack(ctx, cookie, &no_session_programs);
	if (bpf_get_func_ip(ctx) != FUNCTION_PLACE(ctx))
		return leave_rustls(cookie, true);
	return !enter_rustls(ctx, cookie);
}
