package dockerfile

import (
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/pkg/errors"
)

// FileID is an index into [Files]; the file that the client named is 0.
type FileID int

// Loc is a place in one of the files of a build. Lines count from 1, as in
// BuildKit's source maps.
type Loc struct {
	File   FileID
	Ranges []parser.Range
}

// Line returns the first line of the location, 0 where it is unknown.
func (l Loc) Line() int {
	if len(l.Ranges) == 0 {
		return 0
	}
	return l.Ranges[0].Start.Line
}

// Whole returns the place of what concerns a file as a whole: its first line.
func Whole(file FileID) Loc {
	first := parser.Position{Line: 1}
	return Loc{File: file, Ranges: []parser.Range{{Start: first, End: first}}}
}

// At gives err a location: the ranges travel in BuildKit's
// parser.LocationError, the file in [FileError] where it is not the root file.
// A location that err has already is kept in front. A nil err stays nil.
func At(err error, loc Loc) error {
	if err == nil || len(loc.Ranges) == 0 {
		return err
	}
	var known *parser.LocationError
	if file := FileOf(err); errors.As(err, &known) && file != loc.File {
		return err // a deeper phase knew better in which file it was
	} else if file != 0 && file != loc.File {
		return parser.WithLocation(err, Whole(file).Ranges)
	}
	err = parser.WithLocation(err, loc.Ranges)
	return InFile(err, loc.File)
}

// FileError says in which file of the build the locations of its cause are.
type FileError struct {
	File FileID
	Err  error
}

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// InFile notes the file of err's locations. The root file needs no note, and
// the innermost note stays.
func InFile(err error, file FileID) error {
	var noted *FileError
	if err == nil || file == 0 || errors.As(err, &noted) {
		return err
	}
	return &FileError{File: file, Err: err}
}

// FileOf returns the file that err's locations are in: the root file unless noted.
func FileOf(err error) FileID {
	var noted *FileError
	if errors.As(err, &noted) {
		return noted.File
	}
	return 0
}
