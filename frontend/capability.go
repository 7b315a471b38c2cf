package frontend

import (
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/pkg/errors"
)

// What an instruction needs of the daemon is lower's to know, which says so
// with the line. What a client's option or another file needs is known here:
// BuildKit's library refuses that with the name of a capability only.

// uses say what a capability is for that no instruction stands for.
var uses = map[apicaps.CapID]string{
	pb.CapSourceLocal:                "a local folder as build context",
	pb.CapSourceLocalSessionID:       "a local folder of another client's session",
	pb.CapSourceLocalFollowPaths:     "a local folder as build context",
	pb.CapSourceLocalExcludePatterns: "an ignore file",
	pb.CapSourceLocalSharedKeyHint:   "a local folder as build context",
	pb.CapSourceGit:                  "a Git repository as build context",
	pb.CapSourceGitFullURL:           "a Git repository as build context",
	pb.CapSourceGitKeepDir:           "keep-git-dir of a Git repository as build context",
	pb.CapSourceGitKnownSSHHosts:     "a Git repository over SSH as build context",
	pb.CapSourceGitMountSSHSock:      "a Git repository over SSH as build context",
	pb.CapSourceGitChecksum:          "checksum= of a Git repository as build context",
	pb.CapSourceGitSkipSubmodules:    "submodules=false of a Git repository as build context",
	pb.CapSourceGitMTime:             "mtime= of a Git repository as build context",
	pb.CapSourceGitFetchByCommit:     "fetch-by-commit= of a Git repository as build context",
	pb.CapSourceHTTP:                 "an archive from a URL as build context",
	pb.CapSourceImage:                "an image as build context",
	pb.CapSourceImageResolveMode:     "--pull",
	pb.CapSourceOCILayout:            "an OCI layout as build context",
	gwpb.CapReturnMap:                "a build for several platforms",
	gwpb.CapReadDir:                  "a file that the Dockerfile refers to",
	gwpb.CapStatFile:                 "a file that the Dockerfile refers to, or a gate,",
	gwpb.CapFrontendInputs:           "a build context of another build",
}

// nameUse puts into an error for a missing capability what it is for.
func nameUse(err error) error {
	var lacks *apicaps.CapError
	if !errors.As(err, &lacks) {
		return err
	}
	use, ok := uses[lacks.ID]
	if !ok {
		return err
	}
	return errors.WithMessagef(err, "%s requires a newer BuildKit than this daemon's; upgrade Docker or BuildKit, or remove it", use)
}
