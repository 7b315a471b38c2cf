package docker

import (
	"github.com/moby/buildkit/solver/pb"
	"github.com/stagecraft/stagecraft/llb/dockerfile"
	"github.com/stagecraft/stagecraft/llb/lower"
)

// Location returns a place in an answer whose files are numbered as in
// Sources, nil for an unknown place.
func Location(loc dockerfile.Loc) *pb.Location {
	if len(loc.Ranges) == 0 {
		return nil
	}
	return &pb.Location{SourceIndex: int32(loc.File), Ranges: lower.Ranges(loc.Ranges)}
}

// Sources are the files that the locations of an answer are in. Each
// compilation has numbers of its own for them.
type Sources struct {
	Names []string
	Data  [][]byte
}

// NewSources returns the sources of an answer about a Dockerfile.
func NewSources(name string, data []byte) *Sources {
	return &Sources{Names: []string{name}, Data: [][]byte{data}}
}

// In returns a location in the files of a compilation with the answer's number
// of the file.
func (s *Sources) In(files *dockerfile.Files, loc dockerfile.Loc) dockerfile.Loc {
	if loc.File == 0 {
		return loc
	}
	src := files.Source(loc.File)
	for i, name := range s.Names {
		if i > 0 && name == src.Name() {
			loc.File = dockerfile.FileID(i)
			return loc
		}
	}
	loc.File = dockerfile.FileID(len(s.Names))
	s.Names = append(s.Names, src.Name())
	s.Data = append(s.Data, src.Data)
	return loc
}
