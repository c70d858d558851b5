import { createGlobMatcher } from '../model/glob.ts';

/** Paths that every program reads, whatever it is asked to do. What changes them is no noise. */
const READ = [
  /\.so(\.\d+)*$/,
  /^\/(proc(?!\/\d+\/mem$)|sys)(\/|$)/,
  /^\/etc\/(ld\.so\.(cache|preload)|localtime|locale\.alias|nsswitch\.conf|host\.conf|resolv\.conf|gai\.conf|hosts|services|protocols|ssl\/(openssl\.cnf|certs(\/.*)?|cert\.pem)|pki\/.*|timezone|os-release|lsb-release|inputrc|terminfo\/.*|python[\d.]*\/.*|mime\.types|bash\.bashrc|profile)$/,
  /^\/usr\/(local\/)?(lib|lib32|lib64|libexec)\/(python|node_modules|ruby|perl|jvm|locale|gconv|ssl|git-core|gcc|x86_64-linux-gnu|aarch64-linux-gnu)/,
  /^\/usr\/(local\/)?share\/(locale|zoneinfo|i18n|terminfo|perl|python|nodejs|ca-certificates|icu|mime|misc\/magic|git-core)/,
  /^\/usr\/lib\/(locale|ssl|os-release|terminfo)(\/|$)/,
  /^\/(lib|usr\/lib)\/terminfo\//,
  /(^|\/)(site-packages|dist-packages|lib-dynload|node_modules|\.nvm|\.pyenv|\.rustup)(\/|$)/,
  /\.pth$/,
  /(^|\/)pyvenv\.cfg$|^\/(usr\/(local\/)?)?bin\/pyvenv\.cfg$|\/python[\d.]*(\._pth|\.zip)$/,
];
/** Paths that interpreters and terminals write, too. */
const WRITTEN = [
  /^\/dev\/(null|zero|u?random|tty|pts(\/.*)?|std(in|out|err)|fd(\/.*)?|ptmx)$/,
  /(^|\/)(__pycache__|\.npm\/_cacache|v8-compile-cache[^/]*|node-compile-cache)(\/|$)/,
  /\.(pyc|pyo)$/,
];
/** Absent, they are a look-up along a path that was not meant for anything. */
const SEARCHED =
  /(^|\/)(package\.json|node_modules|\.git|\.gitconfig|\.hg|\.npmrc|\.curlrc|\.bashrc|\.profile|\.inputrc|\.python-version|openssl\.cnf|locale-archive|[^/]+\.so[\d.]*)$/;

/** Tells paths that are noise: the known ones and those of the user's own globs. */
export interface NoiseFilter {
  /** `errno` is that of the opening: 2 (ENOENT) along search paths is noise too. `changes`: it was not only read. */
  isNoise(path: string, errno: number, changes: boolean): boolean;
}

export function createNoiseFilter(globs: readonly string[]): NoiseFilter {
  const isOwn = createGlobMatcher(globs);
  return {
    isNoise(path, errno, changes) {
      if (WRITTEN.some((pattern) => pattern.test(path))) return true;
      if (!changes && READ.some((pattern) => pattern.test(path))) return true;
      if (errno === 2 && !changes && (SEARCHED.test(path) || /^\/(usr|lib|lib64|bin|sbin|opt|etc)\//.test(path)))
        return true;
      return isOwn(path);
    },
  };
}
