export { DELETE, GET, OPTIONS, PATCH, POST, PUT } from '@/app/_http/not-found';
