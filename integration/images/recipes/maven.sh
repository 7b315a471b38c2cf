# What maven:3.9-eclipse-temurin-21 has on top of debian:12-slim: Debian's Maven, which is 3.8, its
# OpenJDK, which is 17, and as the mirror of Maven Central a repository of the plugins and libraries
# that Debian packages. Arguments: the packages of those.
apt-get -q update
# The post-installation script of the runtime writes below man pages that a slim Debian lacks.
mkdir -p /usr/share/man/man1
apt-get -q -y install ca-certificates curl git maven openjdk-17-jdk-headless "$@"

mkdir -p /opt/java
ln -s /usr/lib/jvm/java-17-openjdk-amd64 /opt/java/openjdk
rm -rf /usr/lib/jvm/java-17-openjdk-amd64/jmods

# The folder is Debian's layout for Maven's offline mode. What a remote repository has beside it are
# lists of plugins and versions, and checksums.
cd /usr/share/maven-repo

# relocate makes versions that Maven chooses by itself, or that people often pin, mean the one that is here.
relocate() {
	artifact=$1 here=$2
	shift 2
	test -e "org/apache/maven/plugins/$artifact/$here/$artifact-$here.pom"
	for version; do
		folder=org/apache/maven/plugins/$artifact/$version
		if [ -e "$folder" ]; then continue; fi
		mkdir -p "$folder"
		cat > "$folder/$artifact-$version.pom" <<END
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.apache.maven.plugins</groupId>
  <artifactId>$artifact</artifactId>
  <version>$version</version>
  <packaging>maven-plugin</packaging>
  <distributionManagement><relocation><version>$here</version></relocation></distributionManagement>
</project>
END
	done
}
relocate maven-clean-plugin 3.2.0 3.3.2
relocate maven-resources-plugin 3.3.0 3.3.1
relocate maven-compiler-plugin 3.10.1 3.11.0 3.13.0
relocate maven-surefire-plugin 2.22.3 2.22.2 3.2.2 3.2.5
relocate maven-jar-plugin 3.3.0 3.4.1
relocate maven-shade-plugin 3.4.1 3.5.0 3.6.0
relocate maven-site-plugin 3.12.1 3.3

for group in org/apache/maven/plugins org/codehaus/mojo; do
	if [ ! -d "$group" ]; then continue; fi
	{
		echo '<metadata><plugins>'
		for artifact in $(ls "$group"); do
			case $artifact in
			maven-*-plugin) prefix=${artifact#maven-} prefix=${prefix%-plugin} ;;
			*-maven-plugin) prefix=${artifact%-maven-plugin} ;;
			*) continue ;;
			esac
			echo "<plugin><name>$artifact</name><prefix>$prefix</prefix><artifactId>$artifact</artifactId></plugin>"
		done
		echo '</plugins></metadata>'
	} > "$group/maven-metadata.xml"
done
find . -name '*.pom' | sed 's,/[^/]*/[^/]*$,,' | sort -u | while read -r artifact; do
	versions=$(ls "$artifact" | grep -v '^maven-metadata' | sort -V)
	# "debian" and "2.x" are Debian's names for whatever is here; the newest is a number that was not relocated.
	newest=
	for version in $versions; do
		case $version in
		[0-9]*x) ;;
		[0-9]*) if ! grep -qs '<relocation>' "$artifact/$version"/*.pom; then newest=$version; fi ;;
		esac
	done
	group=$(echo "${artifact%/*}" | sed 's,^\./,,; s,/,.,g')
	{
		echo "<metadata><groupId>$group</groupId><artifactId>${artifact##*/}</artifactId><versioning>"
		if [ -n "$newest" ]; then echo "<latest>$newest</latest><release>$newest</release>"; fi
		echo '<versions>'
		for version in $versions; do echo "<version>$version</version>"; done
		echo '</versions></versioning></metadata>'
	} > "$artifact/maven-metadata.xml"
done
find . -name '*.pom' -o -name '*.jar' -o -name maven-metadata.xml | xargs sha1sum | while read -r sum file; do
	printf %s "$sum" > "$file.sha1"
done

cat > /usr/share/maven/conf/settings.xml <<'END'
<settings>
  <mirrors>
    <!-- Maven Central is out of reach of the machine that this stand-in was made on. -->
    <mirror>
      <id>debian</id>
      <mirrorOf>*</mirrorOf>
      <url>file:///usr/share/maven-repo</url>
    </mirror>
  </mirrors>
</settings>
END
printf '#!/bin/sh\nexec "$@"\n' > /usr/local/bin/mvn-entrypoint.sh
chmod 0755 /usr/local/bin/mvn-entrypoint.sh
rm -rf /var/lib/apt/lists/* /var/log/apt/* /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache
