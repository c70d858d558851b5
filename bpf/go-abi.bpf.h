/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Where Go has arguments, results and the running goroutine: Go's src/cmd/compile/abi-internal.md. */
#ifndef UNDERSIGHT_GO_ABI_BPF_H
#define UNDERSIGHT_GO_ABI_BPF_H

#define GO_STACK_POINTER(ctx) ((ctx)->sp)
#if defined(__TARGET_ARCH_x86)
#define GO_ARGUMENT_0(ctx) ((ctx)->ax)
#define GO_ARGUMENT_1(ctx) ((ctx)->bx)
#define GO_ARGUMENT_2(ctx) ((ctx)->cx)
#define GO_GOROUTINE(ctx) ((ctx)->r14)
/* System calls leave it where it was. */
#define GO_SYSCALL_GOROUTINE(context) SYSCALL_REGISTER(context, r14)
#else
#define GO_ARGUMENT_0(ctx) ((ctx)->regs[0])
#define GO_ARGUMENT_1(ctx) ((ctx)->regs[1])
#define GO_ARGUMENT_2(ctx) ((ctx)->regs[2])
#define GO_GOROUTINE(ctx) ((ctx)->regs[28])
#define GO_SYSCALL_GOROUTINE(context) SYSCALL_REGISTER(context, regs[28])
#endif
#define GO_RESULT_0(ctx) GO_ARGUMENT_0(ctx)

#endif
