import { launchHeld } from '../../src/launch.ts';

/** Runs a command as `undersight run` does, without watching it. */
const [executable = '', ...args] = process.argv.slice(2);
const command = await launchHeld(executable, args);
command.release();
process.exitCode = await command.exited;
