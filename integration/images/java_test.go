package images

var javaExpectations = []expectation{
	{
		ref:    "maven:3.9-eclipse-temurin-21",
		config: `"Cmd":\["mvn"\]`,
		env:    []string{"JAVA_HOME=/opt/java/openjdk", "MAVEN_HOME=/usr/share/maven"},
		files:  []string{"usr/bin/mvn", "opt/java/openjdk"},
		run:    mavenBuild,
		want:   `^server\n\{"a":1\}\n$`,
	},
	{
		ref:    "eclipse-temurin:21-jre-alpine",
		config: `"Entrypoint":\["/__cacert_entrypoint.sh"\]`,
		env:    []string{"JAVA_HOME=/opt/java/openjdk"},
		files:  []string{"opt/java/openjdk/bin/java", "opt/java/openjdk/lib/security/cacerts", "sbin/apk"},
		run: `addgroup -S appgroup && adduser -S appuser -G appgroup
			su -s /bin/sh appuser -c 'java -XshowSettings:properties -version 2>&1' | grep -E 'file.encoding|java.home|user.name' | sort
			java --list-modules | grep -cE '^java\.(net\.http|sql|desktop|naming|logging|management)@'; command -v javac || echo no compiler`,
		want: `^ *file\.encoding = UTF-8\n *java\.home = /opt/java/openjdk\n *user\.name = appuser\n6\nno compiler\n$`,
	},
}

// mavenBuild does what the guide's Dockerfile does: all is fetched first, and then built without a network.
const mavenBuild = `mkdir -p /app/src/main/java /app/src/test/java && cd /app
cat > pom.xml <<'END'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId><artifactId>server</artifactId><version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency><groupId>com.google.code.gson</groupId><artifactId>gson</artifactId><version>2.10</version></dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.13.2</version><scope>test</scope></dependency>
  </dependencies>
  <build>
    <finalName>server</finalName>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId><artifactId>maven-shade-plugin</artifactId><version>3.4.1</version>
        <executions><execution><phase>package</phase><goals><goal>shade</goal></goals></execution></executions>
        <configuration><transformers>
          <transformer implementation="org.apache.maven.plugins.shade.resource.ManifestResourceTransformer"><mainClass>App</mainClass></transformer>
        </transformers></configuration>
      </plugin>
    </plugins>
  </build>
</project>
END
echo 'public class App { public static void main(String[] a) { System.out.println(new com.google.gson.Gson().toJson(java.util.Map.of("a", 1))); } }' > src/main/java/App.java
echo 'public class AppTest { @org.junit.Test public void a() { App.main(null); } }' > src/test/java/AppTest.java
mvn -B -q dependency:go-offline > /tmp/log || { cat /tmp/log; exit 1; }
mvn -B -q -o package -DskipTests > /tmp/log || { cat /tmp/log; exit 1; }
basename target/server.jar .jar
java -jar target/server.jar`
