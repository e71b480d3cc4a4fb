export { default } from './packages/config/jest/preset.js';
