/** What helps when the compiled programs are missing, or are not ours. */
export const BUILD_FIX = 'In a checkout, run ./setup.sh, which builds them; else install the package again.';
