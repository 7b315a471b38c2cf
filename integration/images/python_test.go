package images

var pythonExpectations = []expectation{
	{
		ref:    "python:3.12-slim",
		config: `"Cmd":\["python3"\]`,
		files:  []string{"usr/local/bin/python", "usr/local/bin/python3", "usr/local/bin/pip"},
		run:    pythonBuild,
		want:   `^/opt/venv\n/opt/venv/bin/gunicorn\n200 built\n\d`,
	},
}

// pythonBuild makes a virtual environment and serves with what was installed into it.
const pythonBuild = `python -m venv /opt/venv
PATH=/opt/venv/bin:$PATH
printf 'Flask==2.2.2\ngunicorn>=20\npsycopg2\n' > requirements.txt
pip install --no-cache-dir -r requirements.txt > /tmp/log || { cat /tmp/log; exit 1; }
python -c 'import sys; print(sys.prefix)'
command -v gunicorn
mkdir /app && cd /app
cat > app.py <<'END'
import flask

def create_app():
    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "built")
    return app
END
gunicorn 'app:create_app()' --check-config
python -c 'import app; r = app.create_app().test_client().get("/"); print(r.status_code, r.text)'
pip download -q --dest /tmp/wheels requests sqlalchemy pytest
ls /tmp/wheels | grep -ciE '^(requests|sqlalchemy|pytest)-'`
