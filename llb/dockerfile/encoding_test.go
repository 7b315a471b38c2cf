package dockerfile

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// encoded is a text in another encoding.
func encoded(text, name string) []byte {
	var out []byte
	mark := strings.HasSuffix(name, "+mark")
	name = strings.TrimSuffix(name, "+mark")
	if mark {
		text = "\ufeff" + text
	}
	switch name {
	case "UTF-16LE", "UTF-16BE":
		for _, u := range utf16.Encode([]rune(text)) {
			out = order(name).AppendUint16(out, u)
		}
	case "UTF-32LE", "UTF-32BE":
		for _, r := range text {
			out = order(name).AppendUint32(out, uint32(r))
		}
	}
	return out
}

func order(name string) binary.AppendByteOrder {
	if strings.HasSuffix(name, "LE") {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

// A Dockerfile in an encoding that is not UTF-8 is an error at its first line
// that names the encoding and says what to do, wherever it may begin with
// comments or other languages.
func TestEncodings(t *testing.T) {
	for _, text := range []string{
		"FROM alpine\nRUN x\n",
		"\r\n# syntax=docker/dockerfile:1\r\nFROM alpine\r\n",
		"# Käse für 資料 und noch mehr Text, damit es genug ist\nFROM alpine\nRUN echo a b c d e f\n",
	} {
		for _, name := range []string{"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE", "UTF-16LE+mark", "UTF-16BE+mark", "UTF-32LE+mark", "UTF-32BE+mark"} {
			_, err := Parse(NewFiles("svc/Dockerfile", encoded(text, name), nil), 0, Options{})
			want := name
			if base, mark := strings.CutSuffix(name, "+mark"); mark {
				want = base[:len("UTF-16")]
			}
			got := located(err)
			if !strings.Contains(got, "svc/Dockerfile is encoded in "+want+", ") || strings.HasPrefix(got, "0:") || !strings.Contains(got, "iconv -f "+want+" -t UTF-8") {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// Of what is no text at all, and of a line in Latin-1 that cannot be read, the
// error says so. A byte that is no UTF-8 where docker/dockerfile reads over it
// is no error.
func TestNotText(t *testing.T) {
	for text, want := range map[string]string{
		"\x7fELF\x02\x01\x01\x00\x00\n\x00\x00\xff\n": "1: Dockerfile is not a text file: it has bytes that are zero",
		"\x1f\x8b\x08\x00\x00\x00\x00\x00":            "1: Dockerfile is not a text file",
		"FROM a\nRU\xe9N x\n":                         "2: dockerfile parse error on line 2: unknown instruction: RU\xe9N (did you mean run?); this line is not in UTF-8: save the file as UTF-8",
		"# caf\xe9\nFROM a\nNONSENSE\n":               "3: dockerfile parse error on line 3: unknown instruction: NONSENSE",
		"# caf\xe9\nFROM a\nLABEL a=\xe9\nRUN a\n":    "",
		"FROM a\nENV a=\x00\n":                        "",
	} {
		_, err := parse(text, Options{})
		if got := located(err); !strings.HasPrefix(got, want) || want == "" && err != nil {
			t.Errorf("%q:\n  want %q\n  got  %q", text, want, got)
		}
		if utf8.ValidString(text) && err != nil && strings.Contains(fmt.Sprint(err), "UTF-8") {
			t.Errorf("%q is UTF-8: %v", text, err)
		}
	}
}

// A file that another one includes is named itself.
func TestEncodingOfIncludedFile(t *testing.T) {
	read := func(Root, string) ([]byte, error) { return encoded("RUN x\n", "UTF-16LE+mark"), nil }
	_, err := Parse(NewFiles("Dockerfile", []byte("FROM a\nINCLUDE ./part\n"), read), 0, Options{})
	if got := located(err); !strings.HasPrefix(got, "2: INCLUDE ./part: the file is encoded in UTF-16, ") {
		t.Error(got)
	}
}
