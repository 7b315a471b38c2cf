// Package outgoing is the law for text that leaves the frontend: errors,
// warnings, code frames and answers. It can be sent (gRPC refuses what is not
// UTF-8), it can be shown (a Dockerfile must not steer the terminal of whoever
// builds it), and passwords in URLs are masked.
//
// What the daemon builds is not such text: operations, progress names, image
// configs and the sources that LLB refers to are docker/dockerfile's, byte for
// byte.
package outgoing

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Text returns s with the bytes that are no UTF-8, and characters that steer
// a terminal, in the form of Go's escapes: \xff, \x1b, \u202e. Lines and tabs
// stay. Passwords in URLs are masked.
func Text(s string) string {
	if plain(s) {
		return s
	}
	return escape(mask(s))
}

// Data is Text for the content of a file. Ends of lines stay as they are.
func Data(dt []byte) []byte {
	if plain(string(dt)) {
		return dt
	}
	lines := bytes.SplitAfter(dt, []byte("\n"))
	for i, line := range lines {
		text, end := line, []byte(nil)
		if bytes.HasSuffix(line, []byte("\r\n")) {
			text, end = line[:len(line)-2], line[len(line)-2:]
		}
		lines[i] = append([]byte(Text(string(text))), end...)
	}
	return bytes.Join(lines, nil)
}

const (
	// maxSource is how many bytes of a file go with an error: the whole file
	// where it is not longer. BuildKit sends no message of 16 MiB.
	maxSource = 1 << 20
	// around is how many lines before and after the lines in question are
	// kept of a longer file. Clients show fewer.
	around = 20
)

// Frame returns a file for a code frame of some of its lines, which count from
// 1. Of a long file the other lines are empty, so that lines keep their
// numbers.
func Frame(dt []byte, first, last int) []byte {
	if len(dt) <= maxSource {
		return dt
	}
	var kept bytes.Buffer
	for number := 1; len(dt) > 0 && number <= last+around; number++ {
		line, rest, _ := bytes.Cut(dt, []byte("\n"))
		if number >= first-around && kept.Len()+len(line) <= maxSource {
			kept.Write(line)
		}
		kept.WriteByte('\n')
		dt = rest
	}
	return kept.Bytes()
}

// JSON returns a JSON document with the passwords in URLs masked. Its strings
// are the same for a program; a terminal that shows the document is not
// steered by them.
func JSON(dt []byte) []byte {
	if plain(string(dt)) {
		return dt
	}
	var b bytes.Buffer
	for _, r := range mask(string(dt)) {
		if r != '\n' && r != '\t' && steers(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}

// plain reports whether there is nothing to do, which is nearly always so.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n' || c == '\t':
		case c < ' ' || c > '~' || c == '@':
			return false
		}
	}
	return true
}

func escape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == '\n' || r == '\t' || !steers(r):
			b.WriteString(s[:n])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// steers reports whether a terminal does something else with a character than
// show it: control characters, and those that change the order of the text.
func steers(r rune) bool {
	switch {
	case r < 0x20, 0x7f <= r && r < 0xa0:
		return true
	case 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
		return true
	default:
		return false
	}
}

// authority is the part of a URL with a user, up to the last @ of it.
var authority = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)([^/?# \n\t"'<>]*)@`)

const masked = "xxxxx"

// mask masks who logs in to a web server, where tokens stand in place of users
// as well as of passwords, and passwords for everything else.
func mask(s string) string {
	return authority.ReplaceAllStringFunc(s, func(match string) string {
		scheme, user, _ := strings.Cut(strings.TrimSuffix(match, "@"), "://")
		name, _, hasPassword := strings.Cut(user, ":")
		if scheme := strings.ToLower(scheme); scheme == "http" || scheme == "https" {
			name = masked
		}
		if hasPassword {
			name += ":" + masked
		}
		return scheme + "://" + name + "@"
	})
}

// Values applies Text to all strings, and Data to all bytes, that are in the
// exported fields and elements below v, which is a pointer.
func Values(v any) { values(reflect.ValueOf(v)) }

func values(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			values(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				values(v.Field(i))
			}
		}
	case reflect.Slice:
		if dt, ok := v.Interface().([]byte); ok && v.CanSet() {
			v.SetBytes(Data(dt))
			return
		}
		for i := range v.Len() {
			values(v.Index(i))
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString(Text(v.String()))
		}
	}
}
