package images

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// mavenPackages are the Debian packages that maven:3.9-eclipse-temurin-21 offers in place of Maven
// Central: the plugins of the usual life cycle, and libraries for small servers and their tests.
var mavenPackages = []string{
	"libmaven-antrun-plugin-java", "libmaven-assembly-plugin-java", "libmaven-clean-plugin-java", "libmaven-compiler-plugin-java",
	"libmaven-dependency-plugin-java", "libmaven-deploy-plugin-java", "libmaven-enforcer-plugin-java", "libmaven-install-plugin-java",
	"libmaven-jar-plugin-java", "libmaven-resources-plugin-java", "libmaven-shade-plugin-java", "libmaven-site-plugin-java",
	"libmaven-source-plugin-java", "libmaven-war-plugin-java", "libsurefire-java",
	"libtomcat10-embed-java", "libtomcat10-java", "libjetty9-java",
	"libgoogle-gson-java", "libjackson2-databind-java", "liblogback-java", "libslf4j-java",
	"junit4", "junit5",
}

func mavenLayer(m machine, debian *layer) *layer {
	return &layer{
		name:   "maven",
		below:  []*layer{debian},
		inputs: []string{recipe("maven.sh"), fmt.Sprint(mavenPackages)},
		make: func(ctx context.Context, s *site) error {
			return s.apt(ctx, m, s.root, "", recipe("maven.sh"), mavenPackages...)
		},
	}
}

func javaRuntimeLayer(m machine, debian, alpine *layer) *layer {
	return &layer{
		name:   "java-runtime",
		below:  []*layer{alpine},
		uses:   []*layer{debian},
		inputs: []string{recipe("java-runtime.sh")},
		make: func(ctx context.Context, s *site) error {
			scratch, err := s.scratchDebian(ctx, debian)
			if err != nil {
				return err
			}
			return s.apt(ctx, m, scratch, s.root, recipe("java-runtime.sh"))
		},
	}
}

// javaEnv is common to both; C.UTF-8 is the one locale with all letters that the stand-ins have.
var javaEnv = []string{
	"PATH=/opt/java/openjdk/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"JAVA_HOME=/opt/java/openjdk", "LANG=C.UTF-8",
}

var (
	mavenConfig = v1.Config{
		Env:        append(javaEnv[:len(javaEnv):len(javaEnv)], "MAVEN_HOME=/usr/share/maven", "MAVEN_CONFIG=/root/.m2"),
		Entrypoint: []string{"/usr/local/bin/mvn-entrypoint.sh"},
		Cmd:        []string{"mvn"},
	}
	javaRuntimeConfig = v1.Config{
		Env:        javaEnv,
		Entrypoint: []string{"/__cacert_entrypoint.sh"},
	}
)
