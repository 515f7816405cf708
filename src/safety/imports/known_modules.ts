/** Top-level modules of Python's standard library, 3.8 to 3.14, with those of older versions that code still names. */
export const PYTHON_STDLIB: ReadonlySet<string> = new Set([
  ..."__future__ _abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _codecs_cn"
    .split(" "),
  ..."_codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc".split(" "),
  ..."_compat_pickle _compression _contextvars _crypt _csv _ctypes _curses _curses_panel _datetime _dbm"
    .split(" "),
  ..."_decimal _elementtree _frozen_importlib _frozen_importlib_external _functools _gdbm _hashlib _heapq"
    .split(" "),
  ..."_imp _io _json _locale _lsprof _lzma _markupbase _md5 _msi _multibytecodec _multiprocessing _opcode"
    .split(" "),
  ..."_operator _osx_support _overlapped _pickle _posixshmem _posixsubprocess _py_abc _pydecimal _pyio".split(
    " ",
  ),
  ..."_queue _random _scproxy _sha1 _sha256 _sha3 _sha512 _signal _sitebuiltins _socket _sqlite3 _sre _ssl"
    .split(" "),
  ..."_stat _statistics _string _strptime _struct _symtable _thread _threading_local _tkinter _tokenize"
    .split(" "),
  ..."_tracemalloc _typing _uuid _warnings _weakref _weakrefset _winapi _zoneinfo".split(" "),
  ..."__main__ _ctypes _socket _thread _typeshed abc aifc annotationlib antigravity argparse array ast".split(
    " ",
  ),
  ..."asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins bz2 cProfile".split(
    " ",
  ),
  ..."calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall compression"
    .split(" "),
  ..."concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses".split(
    " ",
  ),
  ..."datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler"
    .split(" "),
  ..."fcntl filecmp fileinput fnmatch formatter fractions ftplib functools gc genericpath getopt getpass"
    .split(" "),
  ..."gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib".split(
    " ",
  ),
  ..."inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma macpath mailbox"
    .split(" "),
  ..."mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt"
    .split(" "),
  ..."ntpath nturl2path numbers opcode operator optparse os ossaudiodev parser pathlib pdb pickle".split(" "),
  ..."pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd".split(
    " ",
  ),
  ..."py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource".split(" "),
  ..."rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtpd smtplib".split(
    " ",
  ),
  ..."sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics".split(
    " ",
  ),
  ..."string stringprep struct subprocess sunau symbol symtable sys sysconfig syslog tabnanny tarfile".split(
    " ",
  ),
  ..."telnetlib tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib trace"
    .split(" "),
  ..."traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv"
    .split(" "),
  ..."warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport"
    .split(" "),
  ..."zlib zoneinfo".split(" "),
]);

/** Modules whose package has another name, as the Python Package Index has them. */
export const PYTHON_DISTRIBUTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["Crypto", "pycryptodome pycrypto"],
  ["MySQLdb", "mysqlclient"],
  ["OpenGL", "pyopengl"],
  ["OpenSSL", "pyopenssl"],
  ["PIL", "pillow"],
  ["Xlib", "python-xlib"],
  ["_pytest", "pytest"],
  ["attr", "attrs"],
  ["bs4", "beautifulsoup4"],
  ["click", "flask"],
  ["corsheaders", "django-cors-headers"],
  ["cv2", "opencv-python opencv-python-headless"],
  ["dateutil", "python-dateutil"],
  ["discord", "discord-py"],
  ["distutils", "setuptools"],
  ["docx", "python-docx"],
  ["dotenv", "python-dotenv"],
  ["environ", "django-environ"],
  ["faiss", "faiss-cpu faiss-gpu"],
  ["fitz", "pymupdf"],
  ["flask_sqlalchemy", "flask-sqlalchemy"],
  ["gi", "pygobject"],
  ["git", "gitpython"],
  ["google", "protobuf"],
  ["grpc", "grpcio"],
  ["jinja2", "flask"],
  ["jose", "python-jose"],
  ["jwt", "pyjwt"],
  ["ldap", "python-ldap"],
  ["levenshtein", "python-levenshtein"],
  ["lxml_html_clean", "lxml"],
  ["magic", "python-magic"],
  ["markupsafe", "jinja2"],
  ["memcache", "python-memcached"],
  ["mpl_toolkits", "matplotlib"],
  ["multipart", "python-multipart"],
  ["nacl", "pynacl"],
  ["pkg_resources", "setuptools"],
  ["pptx", "python-pptx"],
  ["psycopg2", "psycopg2-binary"],
  ["pylab", "matplotlib"],
  ["rest_framework", "djangorestframework"],
  ["ruamel", "ruamel-yaml"],
  ["serial", "pyserial"],
  ["skimage", "scikit-image"],
  ["sklearn", "scikit-learn"],
  ["slugify", "python-slugify"],
  ["socks", "pysocks"],
  ["starlette", "fastapi"],
  ["telegram", "python-telegram-bot"],
  ["tlz", "toolz"],
  ["usb", "pyusb"],
  ["werkzeug", "flask"],
  ["win32api", "pywin32"],
  ["wx", "wxpython"],
  ["yaml", "pyyaml"],
  ["zmq", "pyzmq"],
].map(([module, names]) => [module!, names!.split(" ")]));

/** Modules built into Node. */
export const NODE_BUILTINS: ReadonlySet<string> = new Set([
  ..."assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram".split(
    " ",
  ),
  ..."diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector".split(
    " ",
  ),
  ..."inspector/promises module net os path path/posix path/win32 perf_hooks process punycode querystring"
    .split(" "),
  ..."readline readline/promises repl sea sqlite stream stream/consumers stream/promises stream/web".split(
    " ",
  ),
  ..."string_decoder sys test test/reporters timers timers/promises tls trace_events tty url util".split(" "),
  ..."util/types v8 vm wasi worker_threads zlib".split(" "),
]);
