package images

var nginxExpectations = []expectation{
	{
		ref:    "nginx:1.25-alpine",
		config: `"Cmd":\["nginx","-g","daemon off;"\].*"StopSignal":"SIGQUIT"`,
		files:  []string{"usr/sbin/nginx", "usr/bin/curl", "etc/nginx/nginx.conf", "etc/nginx/mime.types", "etc/nginx/conf.d/default.conf", "usr/share/nginx/html/index.html", "docker-entrypoint.sh"},
		run:    nginxServe,
		want:   `^ok\n101 nginx\nserved\ntext/css\n$`,
	},
}

// nginxServe runs the server on a port of its own and asks it something.
const nginxServe = `nginx -t -q && echo ok
echo "$(id -u nginx) $(id -gn nginx)"
port=$(awk 'BEGIN { srand(); print 20000 + int(rand() * 20000) }')
sed -i "s/listen 80;/listen 127.0.0.1:$port;/" /etc/nginx/conf.d/default.conf
echo served > /usr/share/nginx/html/index.html
touch /usr/share/nginx/html/style.css
/docker-entrypoint.sh nginx -g 'daemon off;' > /tmp/log 2>&1 &
for attempt in 1 2 3 4 5 6 7 8 9 10; do curl -sf "http://127.0.0.1:$port/" && break; sleep 0.5; done
curl -sf -o /dev/null -w '%{content_type}\n' "http://127.0.0.1:$port/style.css"
kill -QUIT $!
wait $!`
