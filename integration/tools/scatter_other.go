//go:build !linux

package tools

// Scatter does nothing: it is for ext4. The engines need Linux; the tools that lint the code do not.
func Scatter(string) {}
