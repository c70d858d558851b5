/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a probe on a function sees of the call. */
#ifndef UNDERSIGHT_FUNCTION_BPF_H
#define UNDERSIGHT_FUNCTION_BPF_H

#if defined(__TARGET_ARCH_x86)
#define FUNCTION_ARGUMENT_0(ctx) ((ctx)->di)
#define FUNCTION_ARGUMENT_1(ctx) ((ctx)->si)
#define FUNCTION_ARGUMENT_2(ctx) ((ctx)->dx)
#define FUNCTION_ARGUMENT_3(ctx) ((ctx)->cx)
#define FUNCTION_ARGUMENT_4(ctx) ((ctx)->r8)
#define FUNCTION_STACK(ctx) ((ctx)->sp)
#define FUNCTION_PLACE(ctx) ((ctx)->ip)
#define RETURN_ADDRESS_BYTES 8 /* on the stack when a function begins, and gone when it has returned */
#define FUNCTION_RESULT(ctx) ((ctx)->ax)
#else
#define FUNCTION_ARGUMENT_0(ctx) ((ctx)->regs[0])
#define FUNCTION_ARGUMENT_1(ctx) ((ctx)->regs[1])
#define FUNCTION_ARGUMENT_2(ctx) ((ctx)->regs[2])
#define FUNCTION_ARGUMENT_3(ctx) ((ctx)->regs[3])
#define FUNCTION_ARGUMENT_4(ctx) ((ctx)->regs[4])
#define FUNCTION_STACK(ctx) ((ctx)->sp)
#define FUNCTION_PLACE(ctx) ((ctx)->pc)
#define RETURN_ADDRESS_BYTES 0
#define FUNCTION_RESULT(ctx) ((ctx)->regs[0])
#endif

#endif
