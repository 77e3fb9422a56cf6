package realservers

// Servers are those that can be run, each in the configuration that is hardest on connections.
func Servers() []Server {
	return []Server{
		{
			Name:  "nginx",
			tools: []string{"nginx"},
			files: map[string]string{"nginx.conf": nginxConf},
			args:  []string{"-p", "$DIR", "-e", "$DIR/error.log", "-c", "$DIR/nginx.conf"},
			again: []string{"-p", "$DIR", "-e", "$DIR/error.log", "-c", "$DIR/nginx.conf", "-s", "reload"},
		},
		{
			Name:  "Apache",
			tools: []string{"apache2", "httpd"},
			files: map[string]string{"httpd.conf": apacheConf, "ok": "ok", "401": "no", "413": "no"},
			args:  []string{"-f", "$DIR/httpd.conf", "-DFOREGROUND"},
			again: []string{"-f", "$DIR/httpd.conf", "-k", "graceful"},
		},
		{
			Name:  "Node",
			tools: []string{"node", "nodejs"},
			files: map[string]string{"server.js": nodeServer},
			args:  []string{"$DIR/server.js"},
		},
		{
			Name:  "uWSGI",
			tools: []string{"uwsgi"},
			files: map[string]string{"app.py": wsgiApp},
			args: []string{
				"--plugins", "http,python3", "--http", "127.0.0.1:$PORT", "--http-keepalive=1",
				"--http-timeout", "60", "--add-header", "Connection: Keep-Alive", "--master", "--die-on-term",
				"--env", "READ=1", "--processes", "2", "--threads", "4", "--chdir", "$DIR", "--module", "app",
				"--disable-logging",
			},
		},
		{
			Name:  "gunicorn",
			tools: []string{"gunicorn"},
			files: map[string]string{"app.py": wsgiApp},
			args: []string{
				"--bind", "127.0.0.1:$PORT", "--worker-class", "gthread", "--workers", "2", "--threads", "64",
				"--keep-alive", "1", "--graceful-timeout", "1", "--chdir", "$DIR", "--log-level", "error",
				"app:application",
			},
		},
		{
			// Of 25,800 requests over a new connection each, 27 were reset by reloads.
			resets: true,
			Name:   "Caddy",
			tools:  []string{"caddy"},
			files:  map[string]string{"Caddyfile": caddyfile},
			args:   []string{"run", "--config", "$DIR/Caddyfile", "--adapter", "caddyfile"},
			again: []string{"reload", "--force", "--config", "$DIR/Caddyfile", "--adapter", "caddyfile",
				"--address", "unix/$DIR/admin"},
		},
	}
}

const nginxConf = `
daemon off;
worker_processes 2;
pid $DIR/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $DIR/body;
  proxy_temp_path $DIR/proxy;
  fastcgi_temp_path $DIR/fastcgi;
  uwsgi_temp_path $DIR/uwsgi;
  scgi_temp_path $DIR/scgi;
  keepalive_timeout 1s;
  keepalive_requests 3;
  server {
    listen 127.0.0.1:$PORT backlog=1024;
    location /ok { return 200 "ok"; }
    location /401 { lingering_close off; return 401; }
    location /413 { lingering_close off; client_max_body_size 1; return 200 "not reached"; }
  }
}
`

const apacheConf = `
ServerRoot $DIR
ServerName localhost
PidFile $DIR/httpd.pid
ErrorLog $DIR/error.log
Listen 127.0.0.1:$PORT
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
LoadModule authn_file_module /usr/lib/apache2/modules/mod_authn_file.so
LoadModule auth_basic_module /usr/lib/apache2/modules/mod_auth_basic.so
LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
User www-data
Group www-data
KeepAlive On
KeepAliveTimeout 1
MaxKeepAliveRequests 3
DocumentRoot $DIR
<Location /ok>
  Require all granted
</Location>
<Location /401>
  AuthType Basic
  AuthName no
  AuthUserFile $DIR/nobody
  Require valid-user
</Location>
<Location /413>
  Require all granted
  LimitRequestBody 1
</Location>
`

const nodeServer = `
const server = require('http').createServer((req, res) => {
  if (req.url === '/ok') {
    req.resume().on('end', () => res.end('ok'));
    return;
  }
  res.writeHead(req.url === '/401' ? 401 : 413, {'Content-Length': 2});
  res.end('no', () => res.socket && res.socket.destroy());
});
server.keepAliveTimeout = 1000;
server.maxRequestsPerSocket = 3;
server.listen($PORT, '127.0.0.1', 1024);
`

// wsgiApp reads nothing of what it refuses, unless READ is in its environment: gunicorn then
// answers and resets the connection. uWSGI has a router between the client and the application. It
// loses the answer to a request that the application has not read, and resets the connection: a
// client that writes and reads one after the other gets no answer to two requests in five.
const wsgiApp = `
import os
def application(environ, start_response):
    status = {'/401': '401 Unauthorized', '/413': '413 Too Large'}.get(environ['PATH_INFO'])
    if status is None or 'READ' in os.environ:
        environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    status = status or '200 OK'
    start_response(status, [('Content-Type', 'text/plain'), ('Content-Length', '2')])
    return [b'ok']
`

const caddyfile = `
{
  admin unix/$DIR/admin
  auto_https off
  servers {
    timeouts {
      idle 1s
    }
  }
}
http://127.0.0.1:$PORT {
  respond /ok 200
  respond /401 401
  respond /413 413
}
`
