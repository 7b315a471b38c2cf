package review

import (
	"encoding/json"
	"strings"
)

// The part of SARIF 2.1.0 that a report needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
		EndLine   int `json:"endLine"`
	}
)

// SARIF returns the report for code scanning.
func (r *Report) SARIF() ([]byte, error) {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "Stagecraft"}}, Results: []sarifResult{}}
	index := map[string]int{}
	for i, rule := range Rules() {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID:    rule.ID,
			Short: sarifText{rule.Practice},
			Full:  sarifText{rule.Why},
			Help:  sarifText{rule.Mend},
		})
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		place := sarifPhysical{Artifact: sarifArtifact{strings.TrimPrefix(f.File, "/")}}
		if f.Line > 0 {
			place.Region = &sarifRegion{f.Line, f.EndLine}
		}
		run.Results = append(run.Results, sarifResult{f.Rule, index[f.Rule], "warning", sarifText{f.Message}, []sarifLocation{{place}}})
	}
	return json.MarshalIndent(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}, "", "  ")
}
