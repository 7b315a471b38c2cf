package diagram

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Every answer among the goldens is as docs/schemas/graph.json says, and one with another key is not.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schemas/graph.json")
	if err != nil {
		t.Fatal(err)
	}
	answers, err := filepath.Glob("testdata/*/graph.json")
	if err != nil || len(answers) == 0 {
		t.Fatalf("no answers: %v", err)
	}
	for _, path := range answers {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(schema, text); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if validate(schema, bytes.Replace(text, []byte(`"version"`), []byte(`"edition"`), 1)) == nil {
			t.Errorf("%s: a key that the schema does not have is not refused", path)
		}
	}
}

func validate(schema *jsonschema.Schema, text []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}
