package frontend

import (
	"bytes"
	"context"

	"github.com/stagecraft/stagecraft/frontend/answer"
	"github.com/stagecraft/stagecraft/frontend/lock"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
)

// lockCall answers with the lock file: docs/lock.md.
func lockCall(ctx context.Context, r *request) (answer.Answer, error) {
	doc, err := r.lockDocument(ctx)
	if err != nil {
		return answer.Answer{}, err
	}
	dt, err := doc.Bytes()
	return answer.Answer{JSON: bytes.TrimSuffix(dt, []byte("\n")), Text: string(dt), Document: true, Version: answer.Version}, err
}

// lockRegoCall answers with a policy for buildx.
func lockRegoCall(_ context.Context, r *request) (answer.Answer, error) {
	text := lock.Rego(r.lockFile())
	return answer.NewDocument(struct {
		Version int    `json:"version"`
		Rego    string `json:"rego"`
	}{1, text}, text)
}

// lockCheckCall says what moved since the lock file was written.
func lockCheckCall(ctx context.Context, r *request) (answer.Answer, error) {
	locked, err := r.readLock(ctx, dockerfile.BesideDockerfile)
	if err != nil {
		return answer.Answer{}, err
	}
	now, err := r.lockDocument(ctx)
	if err != nil {
		return answer.Answer{}, err
	}
	report := lock.Compare(locked.Document, now)
	a, err := answer.New(report, report.Text(locked.File))
	a.Status = answer.Judge(report.Same())
	return a, err
}
