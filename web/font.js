// The font that certificates are printed in: taken from its package, with its licence, to where the binary embeds it from.
import { copyFileSync, mkdirSync } from 'node:fs';

const from = 'node_modules/@expo-google-fonts/noto-sans-sc';
mkdirSync('font', { recursive: true });
copyFileSync(`${from}/400Regular/NotoSansSC_400Regular.ttf`, 'font/NotoSansSC-Regular.ttf');
copyFileSync(`${from}/LICENSE_FONT`, 'font/LICENSE');
