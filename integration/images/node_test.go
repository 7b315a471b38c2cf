package images

var nodeExpectations = []expectation{
	{
		ref:    "node:20",
		config: `"Entrypoint":\["docker-entrypoint.sh"\]`,
		files:  []string{"usr/local/bin/node", "usr/local/bin/npm", "bin/bash", "home/node"},
		run:    nodeBuild,
		want:   nodeWant,
	},
	{
		ref:    "node:20-alpine",
		config: `"Entrypoint":\["docker-entrypoint.sh"\]`,
		files:  []string{"usr/local/bin/node", "usr/local/bin/npm", "sbin/apk", "home/node"},
		run:    nodeBuild,
		want:   nodeWant,
	},
}

// nodeBuild does what the guide's Dockerfiles do with Node, down to the user.
const nodeBuild = `node --version
mkdir /app && cd /app
printf '{"name":"app","version":"1.0.0","private":true,"scripts":{"build":"node build.js"},"dependencies":{"ms":"2.1.3"}}' > package.json
printf 'const ms = require("ms"); require("fs").mkdirSync("dist"); console.log("built", ms("1 day"));' > build.js
npm install --package-lock-only --no-audit --no-fund > /dev/null
npm ci --no-audit --no-fund > /dev/null
npm run build --silent
rm -rf node_modules && npm ci --only=production --no-audit --no-fund > /dev/null 2>&1
docker-entrypoint.sh -p '"entry" + "point"'
docker-entrypoint.sh echo as it is
yarn --version
su node -s /bin/sh -c 'id -u && cd && pwd && HOME=/home/node npm --version'`

const nodeWant = `^v20\.\d+\.\d+\nbuilt 86400000\nentrypoint\nas it is\n1\.22\.\d+\n1000\n/home/node\n10\.\d+`
