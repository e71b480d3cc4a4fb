/** Ends a run with what failed, and the line that continuous integration reads. */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    for (const file of results.testResults) for (const line of failuresIn(file)) process.stdout.write(`${line}\n`);
    const suites = results.testResults.filter((file) => file.testExecError || file.failureMessage).length;
    const failed = Math.max(results.numFailedTests, suites);
    const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    process.stdout.write(`${results.numPassedTests} passed, ${failed} failed${skipped}\n`);
  }
}

function failuresIn({ testFilePath, testExecError, testResults }) {
  const failed = testResults.filter(({ status }) => status === 'failed');
  const named = failed.map(({ fullName, failureMessages }) => [fullName, failureMessages[0]]);
  if (testExecError) named.push(['the file itself', testExecError.message]);
  return named.map(([name, message]) => `FAILED ${testFilePath} › ${name}: ${firstLines(message)}`);
}

function firstLines(message = '') {
  return message
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
    .slice(0, 6)
    .join(' | ')
    .slice(0, 1_000);
}
