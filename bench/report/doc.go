// Package report holds the result of a load test and shows it: as tables for a
// terminal, as JSON that loads back, as a page for a browser, and several of
// them side by side.
//
// # Flow
//
// Package load fills a [Run]. Its Text and Page show it, [Save] and [Read] keep it,
// [Compare] puts several side by side.
//
// # Scope
//
// Pages are complete in themselves: no script, no font, no picture from
// elsewhere. Nothing here measures; what was not measured is left out.
package report
