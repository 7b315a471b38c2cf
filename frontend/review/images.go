package review

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// image is a reference in its parts.
type image struct {
	// repository is with the registry, and name its last element.
	repository, name string
	tag, digest      string
}

// parseImage reads a reference; false for what is none.
func parseImage(ref string) (image, bool) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return image{}, false
	}
	img := image{repository: named.Name(), name: path.Base(named.Name())}
	if t, ok := named.(reference.Tagged); ok {
		img.tag = t.Tag()
	}
	if d, ok := named.(reference.Digested); ok {
		img.digest = d.Digest().String()
	}
	return img, true
}

// official reports whether the image is one of Docker's official images, or of
// a mirror of these.
func (i image) official() bool {
	dir := path.Dir(i.repository)
	return (dir == "docker.io/library" || strings.HasSuffix(dir, "/docker/library") || dir == "mirror.gcr.io/library") && officialImages[i.name]
}

// releases are the names of releases of Debian and Ubuntu: they are versions.
var releases = []string{
	"jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky",
	"precise", "trusty", "utopic", "vivid", "wily", "xenial", "yakkety", "zesty", "artful", "bionic", "cosmic", "disco", "eoan", "focal",
	"groovy", "hirsute", "impish", "jammy", "kinetic", "lunar", "mantic", "noble", "oracular", "plucky", "questing",
}

// machines are architectures, whose numbers are no versions.
var machines = regexp.MustCompile(`amd64|arm64|arm32|i386|x86_64|x86-64|x64|aarch64|armv7|armhf|ppc64le|s390x|riscv64|v8\b`)

// pinned reports whether a reference means the same image tomorrow, up to
// patches: by a digest, or by a tag with a version in it.
func (i image) pinned() bool {
	if i.digest != "" {
		return true
	}
	tag := machines.ReplaceAllString(i.tag, "")
	words := strings.FieldsFunc(tag, func(r rune) bool { return r == '-' || r == '.' || r == '_' })
	return strings.ContainsAny(tag, "0123456789") || slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains(releases, w) || strings.Trim(w, "xX") == "" // templates have x for a version
	})
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// officialImages are the names of Docker's official images: a FROM with such a
// name is no misspelt stage.
var officialImages = set(`adminer aerospike almalinux alpine alt amazoncorretto amazonlinux api-firewall arangodb archlinux
	backdrop bash bonita buildpack-deps busybox caddy cassandra centos chronograf cirros clearlinux clefos clickhouse clojure
	composer convertigo couchbase couchdb crate dart debian docker drupal eclipse-mosquitto eclipse-temurin eggdrop elasticsearch
	elixir emqx erlang fedora flink fluentd friendica gazebo gcc geonetwork ghost golang gradle groovy haproxy haskell haxe
	hello-world hitch httpd hylang ibm-semeru-runtimes ibmjava influxdb irssi jetty joomla jruby julia kapacitor kibana kong krakend
	lightstreamer liquibase logstash mageia mariadb matomo maven mediawiki memcached mongo mongo-express monica mono mysql nats
	nats-streaming neo4j neurodebian nextcloud nginx node notary odoo open-liberty openjdk oraclelinux orientdb percona perl photon php
	php-zendserver phpmyadmin plone postfixadmin postgres pypy python r-base rabbitmq rakudo-star redis redmine registry rethinkdb
	rocket.chat rockylinux ros ruby rust sapmachine satosa scratch silverpeas sl solr sonarqube spark spiped storm swift swipl teamspeak
	telegraf tomcat tomee traefik ubuntu unit varnish vault websphere-liberty wordpress xwiki yourls znc zookeeper`)
