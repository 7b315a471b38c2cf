package plan

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/stagecraft/stagecraft/llb/stage"
)

// A plan as JSON has its fields by their names in Go. An operation, and a
// source of a copy, is an object with one field: its kind.

// UnmarshalJSON reads a plan. It has no graph; what is lowered is complete.
func (p *Plan) UnmarshalJSON(data []byte) error {
	type plain Plan
	if err := json.Unmarshal(data, (*plain)(p)); err != nil {
		return err
	}
	p.byID = map[stage.ID]*Stage{}
	for _, s := range p.Stages {
		p.byID[s.ID] = s
	}
	if p.Target() == nil {
		return fmt.Errorf("the plan does not have its target %d", p.TargetID)
	}
	return nil
}

// MarshalText makes a source the key of a JSON object: its two numbers.
func (s Source) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d/%d", s.Context, s.Base), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Source) UnmarshalText(text []byte) error {
	if _, err := fmt.Sscanf(string(text), "%d/%d", &s.Context, &s.Base); err != nil {
		return fmt.Errorf("%q is not a source: %w", text, err)
	}
	return nil
}

var (
	ops     = kinds[Op](&Run{}, &Copy{}, &Mkdir{})
	sources = kinds[CopySource](&Files{}, &Download{}, &Checkout{}, &Inline{})
)

// kinds returns the types of an interface by their names.
func kinds[T any](examples ...T) map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, e := range examples {
		t := reflect.TypeOf(e).Elem()
		types[strings.ToLower(t.Name())] = t
	}
	return types
}

// tagged is a value of an interface type as JSON.
type tagged map[string]json.RawMessage

func tag(v any) (tagged, error) {
	if v == nil {
		return nil, nil
	}
	data, err := json.Marshal(v)
	return tagged{kindOf(reflect.ValueOf(v).Elem()): data}, err
}

func untag[T any](t tagged, types map[string]reflect.Type) (v T, err error) {
	if len(t) > 1 {
		return v, fmt.Errorf("an object with one field is wanted, not with %d", len(t))
	}
	for kind, data := range t {
		typ, ok := types[kind]
		if !ok {
			return v, fmt.Errorf("%q is not known", kind)
		}
		made := reflect.New(typ).Interface()
		if err := json.Unmarshal(data, made); err != nil {
			return v, err
		}
		v = made.(T)
	}
	return v, nil
}

// MarshalJSON shows of which kind the operation is.
func (s Step) MarshalJSON() ([]byte, error) {
	type plain Step
	op, err := tag(s.Op)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		plain
		Op tagged `json:",omitempty"`
	}{plain(s), op})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Step) UnmarshalJSON(data []byte) error {
	type plain Step
	shadow := struct {
		*plain
		Op tagged
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(data, &shadow); err != nil {
		return err
	}
	var err error
	s.Op, err = untag[Op](shadow.Op, ops)
	return err
}

// MarshalJSON shows of which kind the sources are.
func (c Copy) MarshalJSON() ([]byte, error) {
	type plain Copy
	list := make([]tagged, len(c.Sources))
	for i, src := range c.Sources {
		var err error
		if list[i], err = tag(src); err != nil {
			return nil, err
		}
	}
	return json.Marshal(struct {
		plain
		Sources []tagged
	}{plain(c), list})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Copy) UnmarshalJSON(data []byte) error {
	type plain Copy
	shadow := struct {
		*plain
		Sources []tagged
	}{plain: (*plain)(c)}
	if err := json.Unmarshal(data, &shadow); err != nil {
		return err
	}
	c.Sources = nil
	for _, t := range shadow.Sources {
		src, err := untag[CopySource](t, sources)
		if err != nil {
			return err
		}
		c.Sources = append(c.Sources, src)
	}
	return nil
}
