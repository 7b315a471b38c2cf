// Package size says where the bytes of a target come from: docs/size.md.
//
// A report is made of values only: the plan of the target and of its gates, and what was measured of their
// stages. Package measure makes the LLB that measures, and package walk is what runs there.
package size
