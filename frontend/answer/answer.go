package answer

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/pkg/errors"
	"github.com/stagecraft/stagecraft/frontend/outgoing"
)

// Answer is the answer to a subrequest.
type Answer struct {
	// JSON is what --call=NAME,format=json prints.
	JSON []byte
	// Text is for people. Characters that steer a terminal are escaped in it
	// and passwords in URLs masked when it is sent, unless it is a Document,
	// for programs: a Dockerfile, a lock.
	Text     string
	Document bool
	// NoText is for an answer that has JSON only.
	NoText bool
	// Version is that of the subrequest, not of the JSON. Clients print some
	// of docker/dockerfile's answers themselves, unless this is newer than
	// what they know.
	Version string
	Status  Status
}

// Status is the exit status of the client.
type Status int

const (
	// None is for an answer that is no judgement: the exit status is 0.
	None Status = iota
	// Passed is exit status 0 of a judgement.
	Passed
	// Missed is exit status 1: the judgement went against the build.
	Missed
)

// Judge returns Passed or Missed.
func Judge(passed bool) Status {
	if passed {
		return Passed
	}
	return Missed
}

// Version is the version of the subrequests that are only ours.
const Version = "1.0.0"

// New returns the answer of a report that marshals to a JSON object. The
// object must begin with "version" and must not have a key "error": Bake
// merges the keys of answers with its own, and has that one for itself.
// Passwords in URLs are masked in it.
func New(report any, text string) (Answer, error) {
	a, err := NewDocument(report, text)
	a.JSON, a.Document = outgoing.JSON(a.JSON), false
	return a, err
}

// NewDocument is New for an answer that programs work with as it is, such as a
// Dockerfile: nothing is masked.
func NewDocument(report any, text string) (Answer, error) {
	dt, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return Answer{}, errors.WithStack(err)
	}
	keys, err := topLevel(dt)
	if err != nil {
		return Answer{}, err
	}
	for i, key := range keys {
		if (i == 0) != (key == "version") || key == "error" {
			return Answer{}, errors.Errorf("the JSON of an answer has the key %q at position %d", key, i)
		}
	}
	return Answer{JSON: dt, Text: text, Document: true, Version: Version}, nil
}

// topLevel returns the keys of a JSON object in their order.
func topLevel(dt []byte) ([]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(dt))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("the JSON of an answer is not an object")
	}
	var keys []string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, errors.WithStack(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errors.WithStack(err)
		}
		keys = append(keys, key.(string)) // the decoder takes nothing else for a key
	}
	if len(keys) == 0 {
		return nil, errors.New("the JSON of an answer is empty")
	}
	return keys, nil
}

// Limit is how many bytes the JSON and the text of an answer may have
// together. gRPC refuses messages of 16 MiB; the rest is for what is around.
const Limit = 15 << 20

func (a Answer) size() int { return len(a.JSON) + len(a.Text) }

// Fit returns an answer that is short enough to be sent. make returns it with
// lists of at most limit entries, and with a word on how many it left out; at
// first, limit is the length of the longest list.
func Fit(longest int, make func(limit int) (Answer, error)) (Answer, error) {
	for limit := longest; ; limit /= 2 {
		a, err := make(limit)
		if err != nil || a.size() <= Limit || limit == 0 {
			return a, err
		}
	}
}

// Metadata returns the answer as the protocol has it. It is an error where the
// answer is too long to be sent.
func (a Answer) Metadata() (map[string][]byte, error) {
	if a.size() > Limit {
		return nil, errors.Errorf("the answer has %s, and BuildKit sends at most %s", Bytes(int64(a.size())), Bytes(Limit))
	}
	meta := map[string][]byte{"result.json": a.JSON, "version": []byte(a.Version)}
	if !a.NoText {
		text := a.Text
		if !a.Document {
			text = outgoing.Text(text)
		}
		meta["result.txt"] = []byte(text)
	}
	if a.Status != None {
		meta["result.statuscode"] = strconv.AppendInt(nil, int64(a.Status-Passed), 10)
	}
	return meta, nil
}

// Of returns the answer that has some metadata.
func Of(meta map[string][]byte) Answer {
	text, ok := meta["result.txt"]
	a := Answer{
		JSON:    meta["result.json"],
		Text:    string(text),
		NoText:  !ok,
		Version: string(meta["version"]),
	}
	if code, judged := meta["result.statuscode"]; judged {
		a.Status = Judge(string(code) == "0")
	}
	return a
}
