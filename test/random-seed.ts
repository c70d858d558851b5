/**
 * Loaded before each test file: property tests draw the same cases in every run, so that the gate says the same of the same
 * code. UNDERSIGHT_TEST_SEED=random looks for new failures; a number repeats a run.
 */
import fc from 'fast-check';

const wanted = process.env.UNDERSIGHT_TEST_SEED ?? '1';
fc.configureGlobal({ seed: wanted === 'random' ? Date.now() : Number(wanted) });
