/** Ends a run with the line that continuous integration reads. */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const suites = results.testResults.filter((file) => file.testExecError || file.failureMessage).length;
    const failed = Math.max(results.numFailedTests, suites);
    const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    process.stdout.write(`${results.numPassedTests} passed, ${failed} failed${skipped}\n`);
  }
}
