// Command importer makes a timetable out of CSV files with the columns station, time and destination.
package main

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"time"
)

type departure struct {
	Time string `json:"time"`
	To   string `json:"to"`
}

func main() {
	version := flag.String("version", "unknown", "version that the timetable names")
	flag.Parse()
	stations := map[string][]departure{}
	for _, path := range flag.Args() {
		file, err := os.Open(path)
		if err != nil {
			log.Fatal(err)
		}
		if err := read(file, stations); err != nil {
			log.Fatalf("%s: %v", path, err)
		}
		file.Close()
	}
	for _, list := range stations {
		sort.SliceStable(list, func(i, j int) bool { return list[i].Time < list[j].Time })
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"version": *version, "stations": stations}); err != nil {
		log.Fatal(err)
	}
}

// read adds the departures of one file.
func read(from io.Reader, stations map[string][]departure) error {
	lines := csv.NewReader(from)
	lines.FieldsPerRecord = 3
	lines.Comment = '#'
	for {
		line, err := lines.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := time.Parse("15:04", line[1]); err != nil {
			row, _ := lines.FieldPos(1)
			return fmt.Errorf("line %d: %q is no time of day", row, line[1])
		}
		stations[line[0]] = append(stations[line[0]], departure{Time: line[1], To: line[2]})
	}
}
