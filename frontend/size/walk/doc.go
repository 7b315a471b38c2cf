// Package walk measures the layers of a filesystem. It runs inside the daemon: size has BuildKit execute the
// frontend's own program as a step, with the states after each instruction mounted read-only, and this package
// is what that program then does. It asks nobody and writes two files, [ResultFile] for the frontend to read
// and [TreeFile] for the measuring of what is built on top.
//
// Bytes are those that an exporter writes as the content of regular files into the layers' tar archives: the
// apparent size, hard links once in a layer, nothing for directories, links, devices and whiteouts.
package walk
