declare module '#report-style' {
  /** The text of report.css. */
  const text: string
  export default text
}

declare module '#report-script' {
  /** The text of report.js. */
  const text: string
  export default text
}
