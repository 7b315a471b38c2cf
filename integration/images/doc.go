// Package images provides the base images that the tests and examples build from, under the names
// that Docker Hub gives them: the real ones where Docker Hub answers, else stand-ins made here out of
// Debian packages, the Go module proxy and the npm registry.
//
// Ensure goes through these steps:
//
//  1. probe: one short request to Docker Hub decides which of the two is in use (hub.go);
//  2. recipe: a name such as "library/node:20" is looked up in the catalogue, which says of what
//     layers and which config the stand-in consists (catalogue.go and a file for each family);
//  3. layer: each layer that the cache lacks is made in a folder of its own, most by a shell script
//     of the folder recipes that runs in a Debian root, and stored as a compressed tar (layer.go);
//  4. layout: layers and config become an OCI image layout (store.go).
//
// Set.WriteRegistryDir and Set.WriteMirrorDir then hand the layouts to a registry.
//
// # The cache
//
// Everything is below images in the cache folder of package tools:
//
//	store/blobs/sha256/   layers, configs and manifests; shared by all layouts
//	layers/KEY.json       what a layer's recipe gave: digest, diff id, size
//	NAME-KEY/             an OCI layout; its blobs folder is a link to the store's
//	hub/NAME-DIGEST/      the same, pulled from Docker Hub
//	verified/KEY          that the tests saw an image of this content do what they ask of it
//	downloads/            Debian packages, lists of them and registry tarballs
//	work/                 what is being made; removed afterwards
//
// KEY is a hash of everything that decides the content: the scripts, the versions, the settings of
// this machine that are carried into the image, and the keys of the layers beneath. So an edit of a
// recipe makes just what stands on it again. Names are given by renaming, so an interrupted run leaves
// nothing half made, and may leave a folder in work, which the next run removes.
//
// # What stand-ins are not
//
// They have the file layout, users, settings and commands that Dockerfiles rely on, not the versions
// or every file of the originals; README.md lists the differences. Making them takes root, a Debian
// or Ubuntu machine (for debootstrap) and linux/amd64.
package images
