/* A board: main PORT connects its UART to the module at 127.0.0.1:PORT. */
#include "main.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void matou_start(void);
void matou_work(void);

UART_HandleTypeDef huart1;
static _Atomic(uint8_t *) armed; /* where the next byte goes */

HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef *uart, uint8_t *data, uint16_t size, uint32_t timeout)
{
    (void)timeout;
    while (size > 0) {
        ssize_t n = write(uart->fd, data, size);
        if (n <= 0) exit(1);
        data += n;
        size = (uint16_t)(size - n);
    }
    return HAL_OK;
}

HAL_StatusTypeDef HAL_UART_Receive_IT(UART_HandleTypeDef *uart, uint8_t *data, uint16_t size)
{
    (void)uart;
    if (size != 1) return HAL_ERROR;
    if (atomic_load(&armed)) return HAL_BUSY;
    atomic_store(&armed, data);
    return HAL_OK;
}

/* interrupts is the UART's receiver. */
static void *interrupts(void *nothing)
{
    uint8_t b, *to;
    (void)nothing;
    while (read(huart1.fd, &b, 1) == 1) {
        while (!(to = atomic_load(&armed))) sched_yield();
        *to = b;
        atomic_store(&armed, NULL);
        HAL_UART_RxCpltCallback(&huart1);
    }
    exit(1);
}

uint32_t HAL_GetTick(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

void HAL_Delay(uint32_t milliseconds) { usleep(milliseconds * 1000); }

int main(int argc, char **argv)
{
    struct sockaddr_in to;
    pthread_t thread;
    if (argc != 2) return 2;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons((uint16_t)atoi(argv[1]));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    huart1.fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(huart1.fd, (struct sockaddr *)&to, sizeof to) != 0) return 1;
    if (pthread_create(&thread, NULL, interrupts, NULL) != 0) return 1;
    matou_start();
    for (;;) {
        matou_work();
        usleep(500);
    }
}
