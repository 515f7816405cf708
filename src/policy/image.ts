/** Characters of an image's name, tag, digest or id. */
export const MAX_IMAGE_LENGTH = 512;
/** What every engine takes as one name, and nothing that means more in a URL. */
export const IMAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9._\/:@+-]*$/;
