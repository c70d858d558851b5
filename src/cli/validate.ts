import type { Command } from 'commander';
import { configToYaml, describeConfig } from '../config/describe-config.ts';
import { ConfigError } from '../config/problem.ts';
import { addConfigOptions, type ConfigFlags, readConfig } from './config-options.ts';
import { EXIT_USAGE } from './exit-code.ts';
import { toJson } from './json.ts';
import type { Terminal } from './terminal.ts';

const EXAMPLES = `
Examples:
  undersight validate                                print the defaults
  undersight validate -c undersight.yaml             check a file, print what it amounts to
  undersight validate -c base.yaml -c here.yaml --set exporters.store.max_age=7d
  undersight validate -c undersight.yaml --json      for programs: {"valid", "config" or "problems"}
`;

export function addValidate(program: Command, terminal: Terminal): void {
  addConfigOptions(program.command('validate'))
    .description('check a configuration and print it with every default filled in')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ConfigFlags & { json?: boolean }) => {
      const { loadKnownBuilds } = await import('../targets/tls/known-builds.ts');
      try {
        const config = readConfig(flags, terminal);
        loadKnownBuilds(config.receiver.targets.known_builds);
        for (const warning of config.warnings) terminal.err(`undersight: warning: ${warning}\n`);
        const shown = { valid: true, config: describeConfig(config, terminal.env), warnings: config.warnings };
        terminal.out(flags.json ? toJson(shown) : configToYaml(config, terminal.env));
      } catch (error) {
        if (!flags.json || !(error instanceof ConfigError)) throw error;
        terminal.out(toJson({ valid: false, problems: error.problems }));
        process.exitCode = EXIT_USAGE;
      }
    });
}
