package dockerfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// explain returns an error of reading a file, which may be unlocated, as an
// error that shows the file and says where its encoding is the cause. A file
// that can be read, such as one with comments in Latin-1, is never looked at:
// docker/dockerfile reads it, too.
func (s *Source) explain(err error, id FileID) error {
	if err == nil || FileOf(err) != id {
		return err
	}
	var known *parser.LocationError
	loc := Whole(id)
	if errors.As(err, &known) && len(known.Locations) > 0 {
		loc.Ranges = known.Locations[0]
	}
	if strings.HasPrefix(err.Error(), "invalid escape token") {
		// BuildKit's parser has the line before.
		if _, _, where, ok := parser.ParseDirective("escape", s.Data); ok {
			return At(errors.New(err.Error()), Loc{File: id, Ranges: where})
		}
	}
	unknown := strings.Contains(err.Error(), "unknown instruction")
	switch name := encoding(s.Data); {
	case name == binaryFile && unknown:
		return At(errors.Errorf("%s is %s", s.Name(), notText), loc)
	case name != binaryFile && name != "":
		return At(errors.Errorf("%s is %s", s.Name(), encodedIn(name)), loc)
	case !utf8.ValidString(err.Error()):
		err = fmt.Errorf("%w; this line is not in UTF-8: save the file as UTF-8", err)
	}
	if known != nil {
		return InFile(err, id)
	}
	return At(err, loc)
}

const binaryFile = "binary"

const notText = "not a text file: it has bytes that are zero"

func encodedIn(name string) string {
	return "encoded in " + name + ", and a Dockerfile is in UTF-8: save it as UTF-8, or convert it with iconv -f " + name +
		" -t UTF-8 (in Windows PowerShell 5, > writes UTF-16; use Set-Content -Encoding utf8)"
}

// encoding returns the encoding of a file where it is another one than UTF-8:
// by its byte order mark, or as a text that is mostly ASCII; binaryFile for one
// with zeros that no encoding explains, empty for all others.
func encoding(data []byte) string {
	for _, mark := range []struct{ bytes, name string }{
		{"\xff\xfe\x00\x00", "UTF-32"},
		{"\x00\x00\xfe\xff", "UTF-32"},
		{"\xff\xfe", "UTF-16"},
		{"\xfe\xff", "UTF-16"},
	} {
		if bytes.HasPrefix(data, []byte(mark.bytes)) {
			return mark.name
		}
	}
	data = data[:min(len(data), 1024)&^3]
	var zeros [4]int // by position in a group of four
	for i, b := range data {
		if b == 0 {
			zeros[i%4]++
		}
	}
	all := zeros[0] + zeros[1] + zeros[2] + zeros[3]
	// Every second byte of nearly all characters is zero, or three of four.
	groups := len(data) / 4
	most := func(n int) bool { return n > 0 && n*10 >= groups*9 }
	switch big, little := most(zeros[0]), most(zeros[3]); {
	case all == 0:
		return ""
	case big && most(zeros[1]) && most(zeros[2]):
		return "UTF-32BE"
	case little && most(zeros[1]) && most(zeros[2]):
		return "UTF-32LE"
	case big && most(zeros[2]) && zeros[1]+zeros[3] == 0:
		return "UTF-16BE"
	case little && most(zeros[1]) && zeros[0]+zeros[2] == 0:
		return "UTF-16LE"
	default:
		return binaryFile
	}
}
