package frontend_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/stagecraft/stagecraft/frontend/review"
)

const kept = `FROM golang:1.22 AS build
RUN go build -o /server .
FROM scratch
COPY --from=build /server /server
USER 1000
ENTRYPOINT ["/server"]
`

// judged is the review of a Dockerfile and its exit status.
func judged(t *testing.T, dockerfile string, opts map[string]string) (r review.Report, status string) {
	t.Helper()
	meta, err := ask(t.Context(), "review", dockerfile, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(meta["result.json"], &r); err != nil {
		t.Fatal(err)
	}
	return r, string(meta["result.statuscode"])
}

func TestReviewStatus(t *testing.T) {
	if r, status := judged(t, kept, nil); status != "0" || len(r.Missed) > 0 {
		t.Errorf("status %q, missed %v", status, r.Missed)
	}
	missed := strings.Replace(kept, "--from=build", "--from=0", 1)
	if r, status := judged(t, missed, nil); status != "1" || len(r.Findings) != 1 || r.Findings[0].Rule != "NumericFrom" {
		t.Errorf("status %q, %+v", status, r)
	}
	if r, status := judged(t, missed, map[string]string{"build-arg:STAGECRAFT_REVIEW": "skip=NumericFrom"}); status != "0" {
		t.Errorf("status %q, %+v", status, r)
	}
}

// What a client asks for as SARIF or as annotations is that, alone.
func TestReviewForms(t *testing.T) {
	missed := strings.Replace(kept, "--from=build", "--from=0", 1)
	for name, start := range map[string]string{"review.sarif": "{\n", "review.github": "::warning file=Dockerfile,line=4,"} {
		meta, err := ask(t.Context(), name, missed, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(meta["result.txt"]); !strings.HasPrefix(text, start) || string(meta["result.statuscode"]) != "1" {
			t.Errorf("%s: status %s, %s", name, meta["result.statuscode"], text)
		}
	}
}

// A name that is neither a stage nor an image is a finding, though a build
// fails; an image that cannot be had is no reason not to answer.
func TestReviewWithoutImages(t *testing.T) {
	r, _ := judged(t, strings.Replace(kept, "--from=build", "--from=missingbuild", 1), nil)
	if len(r.Findings) != 0 {
		t.Errorf("that is no near miss: %+v", r.Findings)
	}
	misspelt := strings.NewReplacer("AS build", "AS missing-build", "--from=build", "--from=missing-biuld").Replace(kept)
	r, _ = judged(t, misspelt, nil)
	if len(r.Findings) != 1 || r.Findings[0].Rule != "MisspeltStage" {
		t.Errorf("%+v", r.Findings)
	}
}

// A cycle that the target does not need is a finding; an error of the build is
// an error, at its place.
func TestReviewErrors(t *testing.T) {
	cycle := "FROM alpine:3.19 AS a\nCOPY --from=b /x /x\nFROM a AS b\nRUN make\n" + kept
	r, _ := judged(t, cycle, nil)
	if len(r.Missed) != 1 || r.Missed[0] != "StageCycle" {
		t.Errorf("missed %v", r.Missed)
	}
	_, err := ask(t.Context(), "review", kept+"COPYY x\n", nil)
	if sources := errdefs.Sources(err); len(sources) != 1 || sources[0].Ranges[0].Start.Line != 7 {
		t.Errorf("%v", err)
	}
	_, err = ask(t.Context(), "review", cycle, map[string]string{"target": "b"})
	if len(errdefs.Sources(err)) == 0 || !strings.Contains(err.Error(), "circular") {
		t.Errorf("%v", err)
	}
	_, err = ask(t.Context(), "review", kept, map[string]string{"build-arg:STAGECRAFT_REVIEW": "skip=NumericForm"})
	if err == nil || !strings.Contains(err.Error(), "did you mean NumericFrom") {
		t.Errorf("%v", err)
	}
	_, err = ask(t.Context(), "review", kept, map[string]string{"build-arg:STAGECRAFT_REVIEW": "off"})
	if err == nil || !strings.Contains(err.Error(), "write skip=") {
		t.Errorf("%v", err)
	}
}
