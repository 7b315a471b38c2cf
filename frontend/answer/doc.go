// Package answer is what a subrequest (--call=NAME) answers with, and what
// the texts of all answers are made of: tables, widths, numbers.
//
// An adapter in package frontend asks the daemon, calls a pure package that
// makes a report of plain values, and returns [New] of the report and its
// text. This package knows no report, and no report knows the protocol.
package answer
