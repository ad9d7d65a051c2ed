/** three.js comes without types, and nothing of it is called by name here. */
declare module "three";
